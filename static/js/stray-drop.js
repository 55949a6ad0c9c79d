// A file that is dropped where nothing takes it is refused: the browser would open it in the place of the page.
addEventListener('dragover', (event) => {
  const isFile = event.dataTransfer?.types.includes('Files');
  if (!isFile || event.target.closest?.('input[type=file]')) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'none';
});
