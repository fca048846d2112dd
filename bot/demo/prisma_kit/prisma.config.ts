// Real Prisma 6 without its engine binary, which is not to be had everywhere: the engine's WebAssembly build on `pg`.
import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'prisma/config'

// The adapter knows none of the catalog types ("char", name, oidvector …) that the engine selects (prisma/orm#27403).
const TEXT = 25
const TEXT_LIST = 1009
const AS_TEXT: Record<number, number> = {
  18: TEXT, 19: TEXT, 24: TEXT, 194: TEXT, 2205: TEXT, 2206: TEXT, 1002: TEXT_LIST, 1003: TEXT_LIST,
}

// The engine never clears the timer of its advisory lock (10 s): it must not keep the finished process alive.
const original = globalThis.setTimeout
;(globalThis as any).setTimeout = (run: any, delay?: number, ...rest: any[]) => {
  const timer: any = original(run, delay, ...rest)
  if (delay === 10000) timer.unref?.()
  return timer
}

// As the native engine reads its URL: the session's name and options are parameters.
function adapterFor(url: string): PrismaPg {
  const parts = new URL(url)
  const factory: any = new PrismaPg({
    host: parts.hostname,
    port: Number(parts.port || 5432),
    user: decodeURIComponent(parts.username),
    password: decodeURIComponent(parts.password),
    database: decodeURIComponent(parts.pathname.slice(1)),
    application_name: parts.searchParams.get('application_name') ?? undefined,
    options: parts.searchParams.get('options') ?? undefined,
    max: 1, // the lock belongs to a session, so there may be one only
    allowExitOnIdle: true,
  })
  const connect = factory.connect.bind(factory)
  factory.connect = async (...given: unknown[]) => patched(await connect(...given))
  return factory
}

function patched(adapter: any): any {
  const queryable = Object.getPrototypeOf(Object.getPrototypeOf(adapter))
  if (!queryable.readsCatalogs) {
    const perform = queryable.performIO
    queryable.performIO = async function (query: unknown) {
      const result = await perform.call(this, query)
      for (const field of result?.fields ?? []) field.dataTypeID = AS_TEXT[field.dataTypeID] ?? field.dataTypeID
      return result
    }
    queryable.readsCatalogs = true
  }
  // One message for a whole script, as the native engine sends it: one transaction, and no splitting at semicolons.
  adapter.executeScript = async function (script: string) {
    try {
      await this.client.query(script)
    } catch (error) {
      this.onError(error)
    }
  }
  return adapter
}

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  adapter: async () => adapterFor(process.env.DATABASE_URL!),
})
