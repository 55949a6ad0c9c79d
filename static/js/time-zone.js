const KEPT_S = 400 * 24 * 3600;

// Tells the server the visitor's zone, in whose days the gallery is shown; one that was drawn before that, in
// other days, is drawn again.
const own = `easel-zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
const isKept = () => document.cookie.split('; ').includes(own);

if (!isKept()) {
  const path = new URL('../../../', import.meta.url).pathname; // above static/DIGEST/js
  const secure = location.protocol === 'https:' ? '; secure' : '';
  document.cookie = `${own}; path=${path}; max-age=${KEPT_S}; samesite=lax${secure}`;
  const drawn = document.querySelector('[data-utc-offset-min]')?.dataset.utcOffsetMin;
  if (drawn && -new Date().getTimezoneOffset() !== Number(drawn) && isKept()) location.reload();
}
