// The status line and the progress bar.

export class Status {
  #line;
  #bar;

  constructor(line, bar) {
    this.#line = line;
    this.#bar = bar;
  }

  /** Say what happens, and how far it is: a part of 1, or nothing if that is not known. */
  work(text, part) {
    this.#say(text);
    this.progress(part);
  }

  /** Move the bar alone: screen readers do not hear of every tile. */
  progress(part) {
    this.#bar.classList.remove('idle');
    if (part === undefined) this.#bar.removeAttribute('value');
    else this.#bar.value = part;
  }

  /** Say that it is done. */
  done(text) {
    this.#say(text);
    this.idle();
  }

  idle() {
    this.#bar.value = 0;
    this.#bar.classList.add('idle');
  }

  #say(text) {
    // The same text again would be read again.
    if (this.#line.textContent !== text) this.#line.textContent = text;
  }
}
