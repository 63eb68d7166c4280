/**
 * Contents of a simulated file: pages of 4 KiB shared between images until one of them writes (copy on write).
 *
 * A page that was never written is absent and reads as zeros. `share` costs one reference per page, so that a crash
 * or a fork of a whole disk is cheap. Bytes past the size are zero in every page, always.
 */

const pageBytes = 4096;

/** Bytes of a file at one moment. */
export class Image {
  private pages: (Uint8Array | undefined)[] = [];
  /** owned[p] is true if no other image sees pages[p]. */
  private owned: boolean[] = [];
  private length = 0;

  get sizeBytes(): number {
    return this.length;
  }

  read(offset: number, target: Uint8Array): number {
    const count = Math.max(0, Math.min(target.length, this.length - offset));
    let done = 0;
    while (done < count) {
      const position = offset + done;
      const inPage = position % pageBytes;
      const piece = Math.min(pageBytes - inPage, count - done);
      const page = this.pages[(position - inPage) / pageBytes];
      if (page) target.set(page.subarray(inPage, inPage + piece), done);
      else target.fill(0, done, done + piece);
      done += piece;
    }
    return count;
  }

  write(offset: number, source: Uint8Array): void {
    let done = 0;
    while (done < source.length) {
      const position = offset + done;
      const inPage = position % pageBytes;
      const piece = Math.min(pageBytes - inPage, source.length - done);
      const page = this.writablePage((position - inPage) / pageBytes);
      page.set(done === 0 && piece === source.length ? source : source.subarray(done, done + piece), inPage);
      done += piece;
    }
    this.length = Math.max(this.length, offset + source.length);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.length) {
      const pageCount = Math.ceil(sizeBytes / pageBytes);
      if (this.pages.length > pageCount) this.pages.length = pageCount;
      if (this.owned.length > pageCount) this.owned.length = pageCount;
      const inPage = sizeBytes % pageBytes;
      if (inPage > 0 && this.pages[pageCount - 1]) this.writablePage(pageCount - 1).fill(0, inPage);
    }
    this.length = sizeBytes;
  }

  /** A second image with the same bytes; each pays for the pages it writes from now on. */
  share(): Image {
    const copy = new Image();
    copy.pages = this.pages.slice();
    copy.length = this.length;
    this.owned.length = 0;
    return copy;
  }

  bytes(): Uint8Array {
    const target = new Uint8Array(this.length);
    this.read(0, target);
    return target;
  }

  private writablePage(index: number): Uint8Array {
    const page = this.pages[index];
    if (page && this.owned[index]) return page;
    const fresh = page ? page.slice() : new Uint8Array(pageBytes);
    this.pages[index] = fresh;
    this.owned[index] = true;
    return fresh;
  }
}
