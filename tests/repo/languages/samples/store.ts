import type { Item } from "./item";
export { Item as Entry } from "./item";
export * from "./errors";

/** What can be kept. */
export interface Store<T> extends Readable<T>, Closeable {
  readonly size: number;
  get(key: string): T | undefined;
}

export type Key = string | Item.Id;

export enum Level {
  Low,
  High = 2,
}

export abstract class Cache<T extends Item> implements Store<T> {
  private items: Map<Key, T> = new Map();

  constructor(private readonly backing: Store<T>, protected level = Level.Low) {}

  @logged({ level: Level.High })
  get(key: string): T | undefined {
    const found: Item = this.items.get(key);
    found.touch();
    return this.backing.get(key);
  }

  abstract evict(): void;
}

export namespace Keys {
  export const FIRST = "first";
  export function of(item: Item): Key {
    return item.key;
  }
}

export const make = async <T,>(store: Store<T>): Promise<Cache<T>> => Keys.of(store as any);

declare function native(key: Key): void;
export default make;
