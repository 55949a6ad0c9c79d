import { keep, kept } from './storage.js';

const CHANGED = 'easel-changed';
const TAB = ['sessionStorage'];

// A gallery that the browser kept for the way back is drawn anew where pictures were changed meanwhile.
addEventListener('pageshow', ({ persisted }) => {
  if (!document.querySelector('.gallery') || kept(CHANGED, TAB) !== 'yes') return;
  keep(CHANGED, 'no', TAB);
  const [{ type }] = performance.getEntriesByType('navigation');
  if (persisted || type === 'back_forward') location.reload();
});

export function rememberChange() {
  keep(CHANGED, 'yes', TAB);
}
