// Up in an empty prompt, or at its start, goes back through the visitor's earlier prompts; Down comes back.
class PromptHistory extends HTMLElement {
  connectedCallback() {
    this.prompt = this.querySelector('textarea');
    this.prompt.addEventListener('keydown', (event) => this.press(event));
    this.prompt.addEventListener('input', (event) => event.isTrusted && (this.at = -1));
    this.at = -1; // in `earlier`, newest first; -1 is what was typed
  }

  async press(event) {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const { selectionStart, selectionEnd } = this.prompt;
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing;
    if (!step || !isPlain || selectionStart !== selectionEnd || selectionEnd > 0) return;
    if (step < 0 && this.at < 0) return;
    event.preventDefault();
    if (this.at < 0) await this.begin();
    if (this.at < 0 && this.prompt.value !== this.typed) return; // something was typed meanwhile
    const next = this.at + step;
    if (next >= this.earlier.length) return;
    this.at = next;
    this.prompt.value = next < 0 ? this.typed : this.earlier[next];
    this.prompt.setSelectionRange(0, 0);
    this.prompt.dispatchEvent(new Event('input', { bubbles: true }));
  }

  // Asked anew each time: what was just sent is the newest of them.
  async begin() {
    this.typed = this.prompt.value;
    const answer = await fetch(this.dataset.address).then((one) => one.json()).catch(() => ({}));
    this.earlier = (answer.prompts ?? []).filter((prompt) => prompt !== this.typed);
  }
}

customElements.define('prompt-history', PromptHistory);
