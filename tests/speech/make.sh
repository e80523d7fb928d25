#!/bin/sh
# Speaks the questions that the tests use, with Debian's flite (apt install flite), as 16 kHz mono WAV.
# The files are committed; run this again only to change them. flite gives the same bytes every time.
set -eu
cd "$(dirname "$0")"

say() { # file, voice, words
    flite -voice "$2" -t "$3" -o "$1.wav"
}

say time_in_london        slt   "what time is it in london"
say time_in_london_rms    rms   "what time is it in london"
say time_in_london_awb    awb   "what time is it in london"
say time_in_london_kal    kal16 "what time is it in london"
say twelve_times_seven    rms   "what is twelve times seven"
say say_hello             slt   "say hello to everyone"
say stop_please           slt   "stop please"
say weather_in_paris      slt   "what is the weather in paris"
say long_story            rms   "the old man walked down to the river every morning and looked at the water for an hour, thinking of his friends"
