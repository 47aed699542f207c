// The page's elements, steps and messages.

export const $ = (id) => document.getElementById(id);

/** Show one step of the page alone. */
export function show(step) {
  for (const section of document.querySelectorAll('main > section')) {
    section.hidden = section.id !== step;
  }
  $(step).focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Show an error, or none. */
export function say(message) {
  $('message').textContent = message;
  $('message').hidden = !message;
}

export function announce(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Let the browser show what has changed before work begins. */
export function shown() {
  return new Promise((resolve) => setTimeout(resolve, 30));
}

export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
