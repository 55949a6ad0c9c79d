import { Combobox } from './combobox.js';

// Suggests models: what stands in the field is to be replaced, or kept.
class ModelField extends Combobox {
  begin() {
    this.input.select();
    this.list();
  }

  list() {
    this.search('');
  }

  choose(option) {
    if (!option) return;
    this.input.value = option.textContent;
    this.input.dispatchEvent(new Event('input', { bubbles: true }));
    this.close();
  }
}

customElements.define('model-field', ModelField);
