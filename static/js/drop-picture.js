// Drop, paste or choose a picture, and the form fills with what its file says of how it was made. A drop
// anywhere on the page is caught, so that none leads the tab away; dropped text goes to the prompt.
class DropPicture extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector('input[type=file]');
    this.input.addEventListener('change', () => this.choose());
    this.listeners = {
      dragstart: () => (this.own = true),
      dragend: () => (this.own = false),
      dragover: (event) => this.hover(event),
      dragleave: (event) => event.relatedTarget ?? this.highlight(false),
      drop: (event) => this.drop(event),
      paste: (event) => this.took(event, event.clipboardData?.files[0]),
    };
    for (const [name, act] of Object.entries(this.listeners)) document.addEventListener(name, act);
  }

  disconnectedCallback() {
    for (const [name, act] of Object.entries(this.listeners)) document.removeEventListener(name, act);
  }

  highlight(isOver) {
    document.documentElement.toggleAttribute('data-dropping', isOver);
  }

  // A field takes text by itself, at the place that is pointed at.
  isForField({ target, dataTransfer }) {
    return !dataTransfer.types.includes('Files') && target.closest?.('input, textarea');
  }

  hover(event) {
    if (this.isForField(event)) return;
    event.preventDefault();
    this.highlight(!this.own);
  }

  drop(event) {
    this.highlight(false);
    if (this.isForField(event)) return;
    event.preventDefault();
    if (this.own) return; // a picture of this page, moved a little
    const { files, types } = event.dataTransfer;
    if (types.includes('Files')) this.read(files[0]);
    else this.write(event.dataTransfer.getData('text/plain').trim());
  }

  took(event, file) {
    if (!file) return;
    event.preventDefault();
    this.read(file);
  }

  // Lets the same file be chosen again.
  choose() {
    this.read(this.input.files[0]);
    this.input.value = '';
  }

  write(text) {
    const { prompt } = this.form.elements;
    if (!text) return;
    prompt.value = [prompt.value.trimEnd(), text].filter(Boolean).join('\n');
    prompt.focus();
    this.form.dispatchEvent(new Event('input'));
  }

  get form() {
    return document.querySelector('form.composer');
  }

  async read(file) {
    if (!file) return;
    if (file.type && !file.type.startsWith('image/')) return this.say(this.dataset.none);
    const body = new FormData();
    body.append('picture', file);
    this.newest = file;
    try {
      const answer = await fetch(this.input.form.action, { method: 'POST', body, headers: { Accept: 'application/json' } });
      const { fields = {}, message, error } = await answer.json();
      if (this.newest !== file) return; // another one came meanwhile
      for (const [name, value] of Object.entries(fields)) this.form.elements[name].value = value;
      this.form.dispatchEvent(new Event('input'));
      this.say(message ?? error.message);
    } catch {
      this.say(this.dataset.unread); // a folder, a file that went, no connection
    }
  }

  say(words) {
    this.querySelector('[role=status]').textContent = words;
  }
}

customElements.define('drop-picture', DropPicture);
