// Asks the server for a fragment and turns it into an element. The server drew it and escaped
// everything in it; this is the one place that turns text into elements.
const policy = globalThis.trustedTypes
  ? trustedTypes.createPolicy('easel', { createHTML: (text) => text })
  : { createHTML: (text) => text };

export async function fragment(address, options = {}) {
  const response = await fetch(address, { ...options, headers: { 'X-Fragment': 'true' } });
  if (!response.ok) throw new Error(`${response.status}`);
  const template = document.createElement('template');
  template.innerHTML = policy.createHTML(await response.text());
  return template.content.firstElementChild;
}
