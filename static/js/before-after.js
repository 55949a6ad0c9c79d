// Shows a picture over what it was made of, in place of the picture alone, which can be looked at from closer.
class BeforeAfter extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector('button');
    this.button.addEventListener('click', () => this.show(this.button.ariaPressed !== 'true'));
  }

  show(isOn) {
    const stage = this.closest('.stage');
    this.button.ariaPressed = isOn;
    stage.toggleAttribute('data-before-after', isOn);
    for (const button of stage.querySelectorAll('zoom-tools > button')) button.disabled = isOn;
  }
}

customElements.define('before-after', BeforeAfter);
