// One beat's time, which runs, stands or is set by hand; and the vertices at any moment of it.

export class Clock {
  constructor(cycle, onframe) {
    this.cycle = cycle;
    this.phase = 0;
    this.playing = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.speed = 1;
    this.onframe = onframe;
    this.dirty = true;
    this.last = 0;
    this.drawn = [];
    const tick = (now) => {
      const seconds = Math.min((now - this.last) / 1000, 0.25);
      this.last = now;
      if (this.playing) this.phase = (this.phase + (this.speed * seconds) / this.cycle) % 1;
      if (this.playing || this.dirty) {
        this.dirty = false;
        this.onframe(this.phase);
        this.drawn.push(now);
        if (this.drawn.length > 40) this.drawn.shift();
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** Frames drawn a second, of late. */
  get rate() {
    const n = this.drawn.length;
    return n < 2 ? 0 : (1000 * (n - 1)) / (this.drawn[n - 1] - this.drawn[0]);
  }

  set(phase) {
    this.phase = ((phase % 1) + 1) % 1;
    this.dirty = true;
  }

  redraw() {
    this.dirty = true;
  }
}

/** Vertices between two frames of a closed cycle. */
export function between(frames, phase, out) {
  const place = phase * frames.length;
  const low = Math.floor(place) % frames.length;
  const part = place - Math.floor(place);
  const a = frames[low];
  const b = frames[(low + 1) % frames.length];
  for (let i = 0; i < out.length; i += 1) out[i] = a[i] + part * (b[i] - a[i]);
  return out;
}
