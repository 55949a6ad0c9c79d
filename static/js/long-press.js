const HOLD_MS = 500;
const STIR_PX = 10;

// Calls `act` with the tile that a finger rests on. The click and the menu of a browser that such a press ends
// in are left out.
export function onLongPress(wall, act) {
  let press = null;
  const lift = () => {
    clearTimeout(press?.timer);
    if (!press?.isDone) press = null;
  };
  const hold = () => {
    clearTimeout(press.timer);
    if (!press.isDone) act(press.tile);
    press.isDone = true;
  };
  wall.addEventListener('pointerdown', ({ pointerType, isPrimary, target, clientX, clientY }) => {
    const tile = target.closest('.hung');
    const begins = pointerType === 'touch' && isPrimary && tile && !target.closest('.tick, .tile-acts');
    clearTimeout(press?.timer);
    press = begins ? { tile, clientX, clientY, timer: setTimeout(hold, HOLD_MS) } : null;
  });
  wall.addEventListener('pointermove', ({ clientX, clientY }) => {
    if (press && Math.hypot(clientX - press.clientX, clientY - press.clientY) > STIR_PX) lift();
  });
  for (const ending of ['pointerup', 'pointercancel']) wall.addEventListener(ending, lift);
  wall.addEventListener('contextmenu', (event) => {
    if (!press) return;
    event.preventDefault();
    hold();
  });
  wall.addEventListener('dragstart', (event) => press && event.preventDefault());
  wall.addEventListener('click', (event) => {
    if (!press?.isDone) return;
    press = null;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
