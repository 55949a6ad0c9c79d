const GAP_PX = 8;
const TALLEST_PX = 420;

// Puts a panel of the top layer below a field, or above it where there is more room, as on a phone.
export function placeBeside(field, { style, offsetWidth }) {
  const { top, bottom, left } = field.getBoundingClientRect();
  const floor = floorOf(field);
  const isBelow = floor - bottom > top;
  const room = (isBelow ? floor - bottom : top) - 2 * GAP_PX;
  style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - offsetWidth - GAP_PX))}px`;
  style.top = isBelow ? `${bottom + GAP_PX}px` : 'auto';
  style.bottom = isBelow ? 'auto' : `${innerHeight - top + GAP_PX}px`;
  style.maxHeight = `${Math.min(TALLEST_PX, room)}px`;
}

// A button that always stays in reach is not covered.
function floorOf(field) {
  const foot = field.closest('form')?.querySelector('.foot');
  return foot && getComputedStyle(foot).position === 'sticky' ? foot.getBoundingClientRect().top : innerHeight;
}
