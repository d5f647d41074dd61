// Puts the chosen theme on the page before anything is painted. web/src/theme.rs keeps the choice.
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "system";
} catch {
  // Without storage the theme is the system's.
}
