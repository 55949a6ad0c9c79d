import { element } from './fragment.js';
import { rememberChange } from './kept-gallery.js';

// Does what a form beside a picture asks for, and gives the page to show then; none where the browser leaves,
// or where the server is away.
export async function act(form) {
  try {
    const response = await fetch(form.action, { method: 'POST', headers: { 'X-Fragment': 'true' } });
    if (!response.ok) return form.submit(); // the server says why
    const next = element(await response.text());
    if (!next?.matches('picture-keys')) return location.replace(response.url);
    rememberChange();
    return next;
  } catch {
    form.ariaBusy = null; // it can be pressed again
  }
}

// Shows what can be done with a picture now, and leaves the picture as it is looked at; says what was done.
export function exchangeActs(page, next) {
  if (next.dataset.id !== page.dataset.id) return;
  const [shown, fresh] = [page, next].map((one) => one.querySelector('.acts'));
  fresh.inert = shown.inert;
  exchange(shown, fresh);
  return fresh.querySelector('[data-act=favourite]').dataset.done;
}

// Puts one element into the place of another, with the focus on the control that does the same.
export function exchange(shown, fresh, otherwise = null) {
  const focused = shown.contains(document.activeElement) && document.activeElement;
  const keys = focused && focused.getAttribute('aria-keyshortcuts');
  const twin = keys ? `[aria-keyshortcuts="${keys}"]` : focused && focused.closest('.siblings') && '.siblings [aria-current]';
  shown.replaceWith(fresh);
  if (focused) ((twin && fresh.querySelector(twin)) ?? fresh.querySelector(otherwise))?.focus({ preventScroll: true });
}
