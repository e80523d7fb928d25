import "./capture";
import "./playback";
