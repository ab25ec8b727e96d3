// The page on which a prospect chooses a time: show the times of their own clock, unless they have chosen a zone themselves.
const form = document.querySelector("form[data-ask-zone]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (form && zone) {
  const select = form.elements.zone;
  const known = [...select.options].some((option) => option.value === zone);
  if (known && select.value !== zone) {
    select.value = zone;
    form.requestSubmit();
  }
}
