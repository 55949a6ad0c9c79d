// What this browser keeps, in stores that throw at the very word where they are full or forbidden: then
// nothing was kept, and what is to be kept lasts as long as the page.
export const HERE = ['localStorage'];
export const TAB_FIRST = ['sessionStorage', 'localStorage'];

export function kept(name, stores = HERE) {
  return stores.map((store) => attempt(() => globalThis[store].getItem(name))).find((text) => text != null);
}

export function keep(name, text, stores = HERE) {
  for (const store of stores) attempt(() => globalThis[store].setItem(name, text));
}

function attempt(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
