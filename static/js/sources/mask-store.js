const NAME = 'easel';
const MASKS = 'masks';
const MOST = 20; // painted ones that this browser keeps; older ones go

// What was painted and not sent yet, by a key that grows. A browser that is full or forbids it keeps nothing.
export async function keepMask(key, blob) {
  try {
    const masks = await store('readwrite');
    masks.put(blob, key);
    const keys = await answer(masks.getAllKeys());
    for (const old of keys.slice(0, -MOST)) masks.delete(old);
  } catch {
    // it lasts as long as the page
  }
}

export async function keptMask(key) {
  try {
    return await answer((await store('readonly')).get(key));
  } catch {
    return undefined;
  }
}

async function store(mode) {
  const opening = indexedDB.open(NAME);
  opening.onupgradeneeded = () => opening.result.createObjectStore(MASKS);
  const database = await answer(opening);
  const masks = database.transaction(MASKS, mode).objectStore(MASKS);
  database.close(); // once that transaction is over
  return masks;
}

function answer(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
