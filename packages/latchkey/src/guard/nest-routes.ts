import type { INestApplicationContext } from '@nestjs/common'
import { RequestMethod } from '@nestjs/common'
import { ApplicationConfig, MetadataScanner, ModulesContainer } from '@nestjs/core'
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js'
import type { Declaration } from './declaration.ts'
import type { DeclaredRoute } from './openapi.ts'
import { undeclared } from './undeclared.ts'

/** A class, or one of its methods. */
export type Place = Parameters<MethodDecorator>[0] & { readonly name: string }

/** Looks up the declaration of a method of a class. */
export type Declarations = (method: Place, controller: Place) => Declaration | undefined

/** The names under which Nest keeps what its decorators say. */
const kept = { path: 'path', method: 'method', version: '__version__', modulePath: '__module_path__' } as const

/** A method of a controller that answers requests. */
interface Route {
  readonly method: RequestMethod
  readonly paths: readonly string[]
  readonly version: unknown
  /** The method that is called, perhaps not the class's own. */
  readonly called: Place
  readonly controller: Place
  readonly modulePath: string | undefined
}

/**
 * Refuses an application with a route that declares nothing.
 *
 * @throws LatchkeyError `undeclared_route`, naming them all.
 */
export function refuseUndeclared(modules: ModulesContainer, declarations: Declarations): void {
  const open = routesOf(modules).filter(({ called, controller }) => declarations(called, controller) === undefined)
  if (open.length === 0) return
  const names = open.map(({ method, paths, called, controller }) => {
    return `${RequestMethod[method]} ${fullPath(controller, paths)} (${controller.name}.${called.name})`
  })
  throw undeclared(names, 'neither Requires(...) nor Open() on the method or its class')
}

/** Reads what the routes of an application declare, with their whole paths. */
export function declaredRoutes(app: INestApplicationContext, declarations: Declarations): readonly DeclaredRoute[] {
  const modules = app.get(ModulesContainer, { strict: false })
  const config = app.get(ApplicationConfig, { strict: false })
  refuseUndeclared(modules, declarations)
  const factory = new RoutePathFactory(config)
  const versioningOptions = config.getVersioning()
  return routesOf(modules).flatMap(({ method, paths, version, called, controller, modulePath }) => {
    const declaration = declarations(called, controller)
    if (declaration === undefined) return []
    const metadata = {
      globalPrefix: config.getGlobalPrefix(),
      ...(modulePath === undefined ? {} : { modulePath }),
      ...(versioningOptions === undefined
        ? {}
        : {
            versioningOptions,
            methodVersion: version as string,
            controllerVersion: (read(kept.version, controller) ?? versioningOptions.defaultVersion) as string,
          }),
    }
    return listOf(read(kept.path, controller)).flatMap((ctrlPath) =>
      paths.flatMap((methodPath) =>
        factory
          .create({ ...metadata, ctrlPath: slashed(ctrlPath), methodPath: slashed(methodPath) }, method)
          .map((path) => ({ method: RequestMethod[method], path: path.replaceAll('*', ':'), declaration })),
      ),
    )
  })
}

function routesOf(modules: ModulesContainer): readonly Route[] {
  const scanner = new MetadataScanner()
  return [...modules.values()].flatMap(({ controllers, metatype }) =>
    [...controllers.values()].flatMap(({ metatype: controller, instance }) => {
      if (typeof controller !== 'function') return []
      const own = controller.prototype as Readonly<Record<string, Place>>
      return scanner.getAllMethodNames(own).flatMap((name) => {
        const method = own[name]
        const path = method === undefined ? undefined : read(kept.path, method)
        if (method === undefined || path === undefined) return []
        return {
          method: read(kept.method, method) as RequestMethod,
          paths: listOf(path),
          version: read(kept.version, method),
          called: (instance as typeof own | null)?.[name] ?? method,
          controller,
          modulePath: (read(kept.modulePath + modules.applicationId, metatype) ?? read(kept.modulePath, metatype)) as
            | string
            | undefined,
        }
      })
    }),
  )
}

function read(name: string, place: object): unknown {
  return Reflect.getMetadata(name, place)
}

function listOf(path: unknown): readonly string[] {
  return [path].flat().map(String)
}

function slashed(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

/** The path as the decorators say it; a prefix of the application is left out. */
function fullPath(controller: Place, paths: readonly string[]): string {
  const [first = ''] = listOf(read(kept.path, controller))
  const [path = ''] = paths
  return `/${[first, path]
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`
}
