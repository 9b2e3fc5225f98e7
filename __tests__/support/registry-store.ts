import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tar from 'tar-stream';

export interface StoredManifest {
  readonly type: string;
  readonly body: Buffer;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';
const listType = 'application/vnd.docker.distribution.manifest.list.v2+json';

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What a registry keeps. */
export class Store {
  private readonly blobs = new Map<string, Buffer>();
  private readonly manifests = new Map<string, StoredManifest>();

  putBlob(bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  blob(digest: string): Buffer | undefined {
    return this.blobs.get(digest);
  }

  /** @param reference tag or digest. Returns the digest */
  putManifest(repository: string, reference: string, manifest: StoredManifest): string {
    const digest = digestOf(manifest.body);
    for (const name of [reference, digest]) {
      this.manifests.set(`${repository}@${name}`, manifest);
    }
    return digest;
  }

  manifest(repository: string, reference: string): StoredManifest | undefined {
    return this.manifests.get(`${repository}@${reference}`);
  }

  /** Forgets a tag. */
  remove(repository: string, tag: string): void {
    this.manifests.delete(`${repository}@${tag}`);
  }

  /**
   * An image with layers of random bytes, which no engine has yet.
   * @param layers size of each in bytes
   * @returns its digest
   */
  async putImage(repository: string, tag: string, layers: readonly number[] = [1000], architecture = process.arch === 'x64' ? 'amd64' : process.arch): Promise<string> {
    const tars = await Promise.all(layers.map((size, index) => archive(`layer-${index}`, randomBytes(size))));
    const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', config: { Cmd: ['/none'] }, rootfs: { type: 'layers', diff_ids: tars.map(digestOf) } }));
    const zipped = tars.map((bytes) => gzipSync(bytes));
    const part = (mediaType: string, bytes: Buffer): object => ({ mediaType, size: bytes.length, digest: this.putBlob(bytes) });
    const body = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: part('application/vnd.docker.container.image.v1+json', config),
      layers: zipped.map((bytes) => part('application/vnd.docker.image.rootfs.diff.tar.gzip', bytes)),
    };
    return this.putManifest(repository, tag, { type: manifestType, body: Buffer.from(JSON.stringify(body)) });
  }

  /**
   * An image of an engine, its layers as they are: nobody needs them small, and compressing them takes a minute.
   * @param dir what `docker save` has written, unpacked
   * @returns its digest
   */
  putSaved(repository: string, tag: string, dir: string): string {
    const read = (file: string): Buffer => fs.readFileSync(path.join(dir, file));
    const [{ Config, Layers }] = JSON.parse(read('manifest.json').toString()) as [{ Config: string; Layers: string[] }];
    const part = (mediaType: string, bytes: Buffer): object => ({ mediaType, size: bytes.length, digest: this.putBlob(bytes) });
    const body = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: part('application/vnd.docker.container.image.v1+json', read(Config)),
      layers: Layers.map((file) => part('application/vnd.docker.image.rootfs.diff.tar', read(file))),
    };
    return this.putManifest(repository, tag, { type: manifestType, body: Buffer.from(JSON.stringify(body)) });
  }

  /** An image for several platforms. @returns the digest of its index */
  async putIndex(repository: string, tag: string, architectures: readonly string[] = ['amd64', 'arm64']): Promise<string> {
    const manifests = await Promise.all(
      architectures.map(async (architecture) => {
        const digest = await this.putImage(repository, `${tag}-${architecture}`, [1000], architecture);
        return { mediaType: manifestType, size: this.manifest(repository, digest)?.body.length, digest, platform: { architecture, os: 'linux' } };
      }),
    );
    return this.putManifest(repository, tag, { type: listType, body: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: listType, manifests })) });
  }
}

async function archive(name: string, content: Buffer): Promise<Buffer> {
  const pack = tar.pack();
  pack.entry({ name }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
