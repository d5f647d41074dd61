// Starts the dashboard. The content security policy allows no inline script, so the names of the built files
// come in a meta element.
const { js, wasm } = document.querySelector('meta[name="paydown-app"]').dataset;
try {
  const app = await import(js);
  await app.default({ module_or_path: wasm });
} catch (error) {
  const words = document.getElementById("shell-words");
  if (words) {
    words.setAttribute("role", "alert");
    words.textContent = "The dashboard could not be loaded. Load the page again; if that does not help, the browser is too old or the server is being replaced.";
  }
  throw error;
}
