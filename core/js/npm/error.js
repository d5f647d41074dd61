// The one class of errors that the package throws on purpose.

/** @type {typeof import("./index.js").PaydownError} */
export class PaydownError extends Error {
  constructor(code, message, path) {
    super(message);
    this.name = "PaydownError";
    this.code = code;
    this.path = path;
  }
}
