// A page that is left before its transition has run is nobody's fault: browsers report that as an error.
addEventListener('unhandledrejection', (event) => {
  const isSkipped = event.reason instanceof DOMException && /transition/i.test(event.reason.message);
  if (isSkipped) event.preventDefault();
});
