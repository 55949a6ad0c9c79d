import { elements } from './fragment.js';

const TOLD = ['.trash-head', '#gallery-count'];

// What the page says of its pictures, told anew after each act: how many there are and in which months, what
// the trash holds; where none are left, what is said then, and what an undo brings back.
addEventListener('easel-acted', async () => {
  const address = location.href;
  const answer = await fetch(address).catch(() => null);
  const page = answer?.ok && bodyOf(await answer.text());
  if (!page || location.href !== address) return;
  for (const part of TOLD) takePlace(part, page);
  for (const month of document.querySelectorAll('.months a')) {
    const now = page.querySelector(`.months [data-month="${month.dataset.month}"]`);
    month.hidden = !now;
    if (now) month.replaceChildren(...now.childNodes);
  }
  if (document.querySelector('wall-select .hung:not([hidden])')) return;
  takePlace('wall-select', page);
  if (document.activeElement === document.body) document.querySelector('.hung > .plate')?.focus({ preventScroll: true });
});

function bodyOf(text) {
  const body = document.createElement('div');
  body.append(...elements(text));
  return body;
}

function takePlace(name, page) {
  const [shown, now] = [document, page].map((one) => one.querySelector(name));
  if (shown && now && !shown.contains(document.activeElement)) shown.replaceChildren(...now.childNodes);
}
