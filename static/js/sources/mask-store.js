const NAME = 'easel';
const MASKS = 'masks';
const MOST = 20; // painted ones that this browser keeps; older ones go

// What was painted and not sent yet, by a key that grows. A browser that forbids it keeps nothing.
export async function keepMask(blob) {
  const key = `${Date.now()}`;
  const masks = await store('readwrite').catch(() => null);
  if (!masks) return key;
  masks.put(blob, key);
  const keys = await answer(masks.getAllKeys());
  for (const old of keys.slice(0, -MOST)) masks.delete(old);
  return key;
}

export async function keptMask(key) {
  const masks = await store('readonly').catch(() => null);
  return masks && answer(masks.get(key)).catch(() => undefined);
}

async function store(mode) {
  const opening = indexedDB.open(NAME);
  opening.onupgradeneeded = () => opening.result.createObjectStore(MASKS);
  const database = await answer(opening);
  return database.transaction(MASKS, mode).objectStore(MASKS);
}

function answer(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
