// Put into every page before its own scripts: a microphone that speaks when told to, ears at the speaker, and a
// record of everything the page opened, so that a test can see it closed again.
(() => {
  const opened = { tracks: [], peers: [], sockets: [], contexts: [] };
  const probe = { opened, asked: null, microphone: null };
  window.__probe = probe;

  const Context = window.AudioContext;
  const quiet = () => new Context(); // the probe's own contexts are not on the record

  if (navigator.mediaDevices) {
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      probe.asked = constraints;
      if (probe.refuse) throw new DOMException(probe.refuse.message || "", probe.refuse.name);
      if (probe.hold) await probe.hold;
      const context = quiet();
      const sink = context.createMediaStreamDestination();
      // Absolute silence would let the browser pause the track.
      const hiss = new ConstantSourceNode(context, { offset: 0.00001 });
      hiss.connect(sink);
      hiss.start();
      probe.microphone = { context, sink };
      opened.tracks.push(...sink.stream.getTracks());
      return sink.stream;
    };
  }

  /** Says a recording (base64 of a WAV file) into the microphone; resolves when it is said. */
  probe.say = async (recording) => {
    const { context, sink } = probe.microphone;
    const bytes = Uint8Array.from(atob(recording), (character) => character.charCodeAt(0));
    const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes.buffer) });
    source.connect(sink);
    source.start();
    probe.saidAt = performance.now() / 1000;
    return new Promise((resolve) => (source.onended = resolve));
  };

  /** Resolves with when (in seconds) the sound above `least` began that is heard at the speaker next. */
  probe.heardAt = (least) =>
    listen((_, samples, rate) => {
      // 10 ms at a time; the window is long enough for a machine that looks late.
      const step = Math.round(rate / 100);
      for (let at = 0; at + step <= samples.length; at += step) {
        if (rootMeanSquare(samples.subarray(at, at + step)) >= least) {
          return performance.now() / 1000 - (samples.length - at) / rate;
        }
      }
      return 0;
    }, 32768);

  /** Resolves with the loudness (RMS) of the first sound above `least` at the speaker. */
  probe.hear = (least) => listen((rms) => rms >= least);
  /** Resolves when there was no sound above `most` for `ms`. */
  probe.hush = (most, ms) => {
    let since = performance.now();
    return listen((rms) => {
      if (rms > most) since = performance.now();
      return performance.now() - since > ms;
    });
  };

  const rootMeanSquare = (samples) => Math.hypot(...samples) / Math.sqrt(samples.length);

  async function listen(enough, window = 1024) {
    const player = orb().shadowRoot.querySelector("audio");
    while (!player.srcObject) await new Promise((resolve) => setTimeout(resolve, 20));
    if (player.muted || player.volume === 0) throw new Error("the player is muted");
    const context = quiet();
    const analyser = new AnalyserNode(context, { fftSize: window });
    context.createMediaStreamSource(player.srcObject).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const rms = player.paused ? 0 : rootMeanSquare(samples.subarray(-1024));
        const found = enough(rms, samples, context.sampleRate);
        if (!found) return;
        clearInterval(timer);
        void context.close();
        resolve(found === true ? rms : found);
      }, 20);
    });
  }

  const orb = () => document.querySelector("voice-orb");

  const record = (name, list) => {
    const Real = window[name];
    if (Real) window[name] = class extends Real { constructor(...args) { super(...args); list.push(this); } };
  };
  record("RTCPeerConnection", opened.peers);
  record("WebSocket", opened.sockets);
  record("AudioContext", opened.contexts);

  /** What is still open; all zero when everything was released. */
  probe.alive = () => ({
    tracks: opened.tracks.filter((track) => track.readyState === "live").length,
    peers: opened.peers.filter((peer) => peer.connectionState !== "closed").length,
    sockets: opened.sockets.filter((socket) => socket.readyState < WebSocket.CLOSING).length,
    contexts: opened.contexts.filter((context) => context.state !== "closed").length,
  });

  /** Everything the orb told the page. */
  probe.told = [];
  for (const name of ["voice-state", "voice-caption", "voice-event", "voice-error"]) {
    document.addEventListener(name, ({ detail }) => probe.told.push({ name, detail }));
  }
})();
