/**
 * What a conversation holds, and the promise that all of it is let go.
 *
 * Every resource is given to a Scope the moment it exists. Closing the scope releases them, last first, once; what
 * arrives after the close (a microphone granted too late, a socket that opened after all) is released on arrival.
 */
export class Scope {
  readonly #abort = new AbortController();
  #releases: (() => void)[] = [];

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  defer(release: () => void): void {
    if (this.closed) release();
    else this.#releases.push(release);
  }

  /** Waits for a resource and owns it. Throws `Aborted` when the scope was closed meanwhile. */
  async own<T>(pending: Promise<T>, release: (value: T) => void): Promise<T> {
    const value = await pending;
    this.defer(() => release(value));
    this.check();
    return value;
  }

  check(): void {
    if (this.closed) throw new Aborted();
  }

  /** A part that can be closed by itself, and is closed with the whole. */
  child(): Scope {
    const child = new Scope();
    this.defer(() => child.close());
    return child;
  }

  every(ms: number, tick: () => void): void {
    const timer = setInterval(tick, ms);
    this.defer(() => clearInterval(timer));
  }

  after(ms: number, then: () => void): void {
    const timer = setTimeout(then, ms);
    this.defer(() => clearTimeout(timer));
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.after(ms, resolve);
      this.defer(() => reject(new Aborted()));
    });
  }

  /** The promise, or `Aborted` when the scope closes first: nobody waits for a part that is gone. */
  race<T>(pending: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      pending.then(resolve, reject);
      this.defer(() => reject(new Aborted()));
    });
  }

  close(): void {
    if (this.closed) return;
    this.#abort.abort();
    for (const release of this.#releases.splice(0).reverse()) {
      try {
        release();
      } catch {
        // One thing that will not be released must not keep the others.
      }
    }
  }
}

/** Thrown into whatever still waits when its scope closes. Never shown to anybody. */
export class Aborted extends Error {
  override name = "Aborted";
}
