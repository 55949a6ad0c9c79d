const CHANGED = 'easel-changed';

// A gallery that the browser kept for the way back is drawn anew where pictures were changed meanwhile.
addEventListener('pageshow', ({ persisted }) => {
  const [{ type }] = performance.getEntriesByType('navigation');
  if (!document.querySelector('.gallery') || !isChanged()) return;
  if (persisted || type === 'back_forward') location.reload();
});

export function rememberChange() {
  try {
    sessionStorage.setItem(CHANGED, 'yes');
  } catch {
    // a forbidden store
  }
}

function isChanged() {
  try {
    const change = sessionStorage.getItem(CHANGED);
    sessionStorage.removeItem(CHANGED);
    return Boolean(change);
  } catch {
    return false;
  }
}
