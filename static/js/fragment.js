// The one place that turns text of our own server into elements and script addresses. The server drew it
// and escaped everything in it.
const policy = globalThis.trustedTypes
  ? trustedTypes.createPolicy('easel', { createHTML: (text) => text, createScriptURL: (url) => url })
  : { createHTML: (text) => text, createScriptURL: (url) => url };

export function elements(text) {
  const template = document.createElement('template');
  template.innerHTML = policy.createHTML(text);
  return [...document.importNode(template.content, true).children];
}

export function element(text) {
  return elements(text)[0];
}

export async function fragment(address, options = {}) {
  const response = await fetch(address, { ...options, headers: { 'X-Fragment': 'true' } });
  if (!response.ok) throw new Error(`${response.status}`);
  return element(await response.text());
}

export function sharedWorker(address) {
  return new SharedWorker(policy.createScriptURL(address), { type: 'module' });
}
