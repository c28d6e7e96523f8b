/**
 * The order of one conversation: numbers 1, 2, 3 without a hole. What comes early waits, what comes
 * twice is dropped, and nobody sees a message before all those in front of it.
 */
export class Timeline<M extends { sequence: number; isRevoked?: boolean }> {
  private readonly early = new Map<number, M>();

  /** Everything up to `top` is known. */
  constructor(public top: number) {}

  /** Takes one message, and returns those whose turn it is now. */
  take(message: M): M[] {
    this.keep(message);
    return this.drain();
  }

  /** Takes all that there is up to a number: what is missing among them does not exist any more. */
  fill(messages: readonly M[], upTo: number): M[] {
    for (const message of messages) this.keep(message);
    const due = [...this.early.keys()].filter((sequence) => sequence <= upTo).sort((a, b) => a - b);
    const ready = due.map((sequence) => this.remove(sequence));
    this.top = Math.max(this.top, upTo);
    return [...ready, ...this.drain()];
  }

  /** What is missing before the next message that waits. */
  get hole(): { from: number; to: number } | undefined {
    if (this.early.size === 0) return undefined;
    return { from: this.top + 1, to: Math.min(...this.early.keys()) - 1 };
  }

  private keep(message: M): void {
    // A copy from before its recall may come behind the one that says so.
    const isOld = message.sequence <= this.top || this.early.get(message.sequence)?.isRevoked;
    if (!isOld) this.early.set(message.sequence, message);
  }

  private drain(): M[] {
    const ready: M[] = [];
    while (this.early.has(this.top + 1)) ready.push(this.remove(++this.top));
    return ready;
  }

  private remove(sequence: number): M {
    const message = this.early.get(sequence) as M;
    this.early.delete(sequence);
    return message;
  }
}
