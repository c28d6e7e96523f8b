/** What every promise of the client rejects with. */
export class ChatError extends Error {
  readonly code: number;
  readonly data: object;

  constructor(code: number, message: string, data: object = {}) {
    super(message);
    // Some compilers of mini-programs lower classes to functions; then Error returns an object of its own kind.
    Object.setPrototypeOf(this, ChatError.prototype);
    // Error's own message is not enumerable, and an error that is logged or cloned must show all three.
    Object.defineProperty(this, 'message', { value: message, enumerable: true, writable: true, configurable: true });
    this.code = code;
    this.data = data;
  }
}
