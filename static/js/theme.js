// Before the first paint: the theme this browser chose, else the one the system asks for. Loaded without defer, so small.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("kring-theme") || "auto";
    } catch {
      return "auto"; // storage may be closed to us
    }
  };
  const apply = () => {
    const theme = chosen();
    root.dataset.bsTheme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    root.dataset.themeChoice = theme;
    document.dispatchEvent(new Event("kring:theme")); // charts draw themselves again
  };
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  window.kringTheme = {
    choose(theme) {
      try {
        localStorage.setItem("kring-theme", theme);
      } catch {
        // then the system's theme stays
      }
      apply();
    },
  };
})();
