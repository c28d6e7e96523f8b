/** The files of a phone: what its choosers and recorders hand over, what `wx` sees of them, and how it uploads them. */

import { request, type ClientRequest } from 'node:http';

/** A file, and what a decoder would see of it: nothing, when it is no picture. */
export interface StoredFile {
  bytes: Buffer;
  width?: number;
  height?: number;
  type?: string;
  orientation?: string;
}

/** An upload that the phone was asked for. */
export interface Upload {
  url: string;
  path: string;
  fields: Record<string, string>;
  /** The status of the answer, once there is one. */
  status?: number;
  isAborted?: boolean;
}

interface Callbacks<Answer> {
  success?: (answer: Answer) => void;
  fail?: (error: { errMsg: string }) => void;
}

interface UploadOptions extends Callbacks<{ statusCode: number; data: string; errMsg: string }> {
  url: string;
  filePath: string;
  name: string;
  formData: Record<string, string>;
}

const CHUNK_BYTES = 16 * 1024;

export class Files {
  readonly stored = new Map<string, StoredFile>();
  /** All that the phone was asked to upload, since the last `splice`. */
  readonly uploads: Upload[] = [];
  isOnline = true;
  /** What the phone says to an upload instead of making it. */
  refuses: (upload: Upload) => string | undefined = () => undefined;
  /** What the storage answers to an upload before it has seen it: a status and a text. */
  answers: (upload: Upload) => [number, string] | undefined = () => undefined;
  /** Called when so much of an upload is on its way, from 0 to 1. `hangs` is what lets it go no further without a word. */
  sent: (part: number, upload: Upload, hangs: () => void) => void = () => {};
  /** How it makes a picture smaller. Before 2.26.0 of the base library it knows no size. */
  compresses: 'to a size' | 'only' | 'not' = 'to a size';
  /** WeChat on iOS makes only JPEG smaller. */
  compressesOnlyJPEG = false;
  /** Whether what it makes of a photo is turned already, or has to be turned to be seen as the photo has. */
  turns = true;
  /** Whether it says how large a file is. */
  saysSizes = true;
  private readonly running = new Set<{ request: ClientRequest; fail: (why: string) => void }>();
  private count = 0;

  /** Puts a file onto the phone, and returns its path. */
  save(name: string, file: StoredFile | number): string {
    const path = `wxfile://tmp_${this.count += 1}/${name}`;
    this.stored.set(path, typeof file === 'number' ? { bytes: Buffer.alloc(file, name) } : file);
    return path;
  }

  /** A picture that the camera has taken, of so many bytes. */
  photo(name = '照片.jpg', width = 3024, height = 4032, bytes = 90_000, more: Partial<StoredFile> = {}): string {
    return this.save(name, { bytes: Buffer.alloc(bytes, name), width, height, type: 'jpeg', ...more });
  }

  bytesOf(path: string): Buffer {
    const file = this.stored.get(path);
    if (!file) throw new Error(`there is no ${path}`);
    return file.bytes;
  }

  private sizeOf(path: string): number {
    return this.bytesOf(path).length;
  }

  // What the choosers of WeChat hand over

  chooseImage(path: string) {
    return { errMsg: 'chooseImage:ok', tempFilePaths: [path], tempFiles: [{ path, size: this.sizeOf(path) }] };
  }

  chooseMediaImage(path: string) {
    const file = { tempFilePath: path, size: this.sizeOf(path), fileType: 'image' };
    return { errMsg: 'chooseMedia:ok', type: 'image', tempFiles: [file] };
  }

  chooseMediaVideo(path: string, thumbTempFilePath: string) {
    const file = { tempFilePath: path, thumbTempFilePath, size: this.sizeOf(path), duration: 12.6, width: 540, height: 960, fileType: 'video' };
    return { errMsg: 'chooseMedia:ok', type: 'video', tempFiles: [file] };
  }

  chooseVideo(path: string) {
    return { errMsg: 'chooseVideo:ok', tempFilePath: path, size: this.sizeOf(path), duration: 12.6, width: 540, height: 960 };
  }

  chooseMessageFile(path: string, name: string) {
    return { errMsg: 'chooseMessageFile:ok', tempFiles: [{ path, name, size: this.sizeOf(path), time: 1_795_400_000, type: 'file' }] };
  }

  recorded(path: string) {
    return { tempFilePath: path, duration: 3_999, fileSize: this.sizeOf(path) };
  }

  // What `wx` does with them

  get wx(): object {
    return {
      getImageInfo: ({ src, ...then }: { src: string } & Callbacks<object>) => this.answer(then, () => {
        const { width, height, type = 'unknown', orientation = 'up' } = this.stored.get(src) ?? {};
        return width && height ? { width, height, type, orientation, path: src, errMsg: 'getImageInfo:ok' } : undefined;
      }),
      compressImage: ({ src, compressedWidth, ...then }: { src: string; compressedWidth?: number } & Callbacks<object>) => this.answer(then, () => {
        const { bytes, type, orientation = 'up', ...sides } = this.stored.get(src) ?? { bytes: Buffer.alloc(0) };
        const isTurned = this.turns && /^(left|right)/.test(orientation);
        const [width, height] = isTurned ? [sides.height, sides.width] : [sides.width, sides.height];
        if (!width || !height || this.compresses === 'not' || this.compressesOnlyJPEG && type !== 'jpeg') return undefined;
        const scale = this.compresses === 'to a size' && compressedWidth ? compressedWidth / width : 1;
        const made = {
          width: Math.round(width * scale), height: Math.round(height * scale), type: 'jpeg', orientation: isTurned ? 'up' : orientation,
          bytes: bytes.subarray(0, Math.ceil(bytes.length * scale * 0.9)),
        };
        return { tempFilePath: this.save('compressed.jpg', made), errMsg: 'compressImage:ok' };
      }),
      getFileSystemManager: () => ({
        getFileInfo: ({ filePath, ...then }: { filePath: string } & Callbacks<object>) => this.answer(then, () => {
          const file = this.stored.get(filePath);
          return file && this.saysSizes && { size: file.bytes.length, errMsg: 'getFileInfo:ok' };
        }),
      }),
      uploadFile: (options: UploadOptions) => this.uploadFile(options),
    };
  }

  private answer<Answer>({ success, fail }: Callbacks<Answer>, what: () => Answer | undefined | false): void {
    setImmediate(() => {
      const answer = what();
      if (answer) success?.(answer);
      else fail?.({ errMsg: 'fail' });
    });
  }

  private uploadFile({ url, filePath, name, formData, success, fail }: UploadOptions): object {
    const upload: Upload = { url, path: filePath, fields: { ...formData } };
    this.uploads.push(upload);
    let progressed = (_: { progress: number }): void => {};
    let over = false;
    const end = (tell: () => void): void => {
      if (over) return;
      over = true;
      this.running.delete(run);
      setImmediate(tell);
    };
    const boundary = `----${Math.random().toString(36).slice(2)}`;
    const run = {
      request: request(url, { method: 'POST', headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => end(() => {
          upload.status = response.statusCode ?? 0;
          success?.({ statusCode: upload.status, data: Buffer.concat(chunks).toString(), errMsg: 'uploadFile:ok' });
        }));
      }),
      fail: (why: string) => {
        run.request.destroy();
        end(() => fail?.({ errMsg: `uploadFile:fail ${why}` }));
      },
    };
    run.request.on('error', (error) => run.fail(error.message));
    this.running.add(run);
    const file = this.stored.get(filePath);
    const refusal = this.refuses(upload) ?? (!this.isOnline ? 'network is down' : file ? undefined : 'file not found');
    // As WeChat does: fields first, and the file last.
    const write = async (): Promise<void> => {
      if (refusal !== undefined || !file) return run.fail(refusal ?? '');
      const answer = this.answers(upload);
      if (answer) {
        run.request.destroy();
        const [statusCode, data] = answer;
        upload.status = statusCode;
        return end(() => success?.({ statusCode, data, errMsg: 'uploadFile:ok' }));
      }
      for (const [field, value] of Object.entries(formData)) {
        run.request.write(`--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`);
      }
      run.request.write(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${filePath.split('/').pop()}"\r\n`
        + 'Content-Type: application/octet-stream\r\n\r\n');
      let hangs = false;
      for (let at = 0; at < file.bytes.length && !over;) {
        const chunk = file.bytes.subarray(at, at += Math.max(CHUNK_BYTES, Math.ceil(file.bytes.length / 50)));
        await new Promise<void>((resolve) => { run.request.write(chunk, () => resolve()); });
        if (over) return;
        const part = Math.min(at, file.bytes.length) / file.bytes.length;
        progressed({ progress: Math.floor(part * 100) });
        this.sent(part, upload, () => { hangs = true; });
        if (hangs) return;
      }
      if (!over) run.request.end(`\r\n--${boundary}--\r\n`);
    };
    setImmediate(() => { void write(); });
    return {
      onProgressUpdate: (listener: typeof progressed) => { progressed = listener; },
      abort: () => {
        upload.isAborted = true;
        run.fail('abort');
      },
    };
  }

  /** The network has gone, and everything that was on its way with it. */
  cut(): void {
    for (const { fail } of [...this.running]) fail('network is down');
  }
}
