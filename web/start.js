// Starts the dashboard. The content security policy allows no inline script, so the names of the built files
// come in a meta element.
const { js, wasm } = document.querySelector('meta[name="paydown-app"]').dataset;
const app = await import(js);
await app.default({ module_or_path: wasm });
