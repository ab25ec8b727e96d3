// A call that has just begun dials by itself, once: coming back to the page does not ring again.
const dial = document.querySelector("a[data-dial]");
const dialled = () => {
  const key = `dialled-${dial.dataset.dial}`;
  try {
    const before = sessionStorage.getItem(key);
    sessionStorage.setItem(key, "yes");
    return before !== null;
  } catch {
    // Without storage the number stands there to be tapped.
    return true;
  }
};
// Not before the page is there: handing over to the telephone would end its loading.
window.addEventListener("load", () => {
  if (dial instanceof HTMLAnchorElement && !dialled()) dial.click();
});
