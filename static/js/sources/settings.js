// The settings of an edit, in the form as long as it starts from a picture.
export class Settings {
  constructor(form) {
    this.form = form;
    this.drawer = form.querySelector('more-settings .drawer');
  }

  get element() {
    return this.drawer.querySelector('.of-sources');
  }

  get fields() {
    return [...(this.element?.querySelectorAll('[name]') ?? [])];
  }

  get values() {
    return this.fields.map((field) => (field.type === 'checkbox' ? field.checked : field.value));
  }

  set values(values) {
    for (const [place, field] of this.fields.entries()) {
      const value = values[place];
      if (field.type === 'checkbox') field.checked = value === true;
      else if (typeof value === 'string') field.value = value;
    }
  }

  bring(element) {
    if (!this.element) this.drawer.append(element);
  }

  // A size that was chosen for other pictures is set aside as long as there is one to start from.
  fitSize(isNeeded) {
    const { size } = this.form.elements;
    const [fitting] = size.options;
    fitting.text = fitting.dataset[isNeeded ? 'same' : 'default'];
    if (isNeeded === this.isFitted) return;
    this.isFitted = isNeeded;
    if (isNeeded) this.sizeBefore = size.value;
    size.value = isNeeded ? '' : size.value || this.sizeBefore || '';
    size.dispatchEvent(new Event('input', { bubbles: true })); // kept as if it was chosen
  }

  show(isNeeded) {
    this.fitSize(isNeeded);
    if (isNeeded && this.away) this.drawer.append(this.away);
    this.away = isNeeded ? null : (this.element ?? this.away);
    if (!isNeeded) this.element?.remove();
    this.form.querySelector('more-settings').show?.();
  }

  protect() {
    this.element.querySelector('[name=paste_back]').checked = true;
  }
}
