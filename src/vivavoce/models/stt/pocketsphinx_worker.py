"""The process in which PocketSphinx decodes: 16 kHz mono int16 PCM in, lower-case words out.

Measured on short questions: ``full_utt`` (features normalised over the whole utterance) makes fewer
mistakes than streaming; without ``fwdflat``, the second search, the end comes in 10 ms instead of 200
at the same accuracy.
"""

from pocketsphinx import Decoder

from vivavoce.models.worker.process import Emit, Handler, serve


def prepare() -> Handler:
    decoder = Decoder(samprate=16_000, fwdflat=False, loglevel="FATAL")

    def transcribe(pcm: bytes, emit: Emit) -> None:
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        emit(hypothesis.hypstr.encode() if hypothesis else b"")

    return transcribe


if __name__ == "__main__":
    serve(prepare)
