import HTTPServer
import Logging
import NormalizationService

/// Reads again what may change while the server runs. What cannot be used leaves in place what was there before.
struct Reloader {
    let identity: IdentityFiles?
    let keys: KeyOptions
    let server: HTTPServer
    let authorization: Authorization
    let layers: LayerFiles
    let repository: LayerRepository
    let logger: Logger

    func reload() {
        guard self.identity != nil || self.keys.areConfigured || self.layers.directory != nil else {
            return self.logger.notice("SIGHUP: there is nothing to reload")
        }
        if let identity {
            self.reload("certificate and key") { () throws(StartUpError) in
                self.server.use(try identity.load())
                return [:]
            }
        }
        if self.keys.areConfigured {
            self.reload("keys") { () throws(StartUpError) in
                let keys = try self.keys.load()
                self.authorization.replaceKeys(with: keys)
                return keys.counts
            }
        }
        if self.layers.directory != nil {
            self.reload("layers") { () throws(StartUpError) in
                self.layers.log(try self.layers.load(into: self.repository))
                return ["layers": "\(self.repository.count)"]
            }
        }
    }

    private func reload(_ what: String, _ load: () throws(StartUpError) -> Logger.Metadata) {
        do throws(StartUpError) {
            let metadata = try load()
            self.logger.notice("SIGHUP: \(what) reloaded", metadata: metadata)
        } catch {
            self.logger.error("SIGHUP: \(what) not reloaded, the old ones stay", metadata: ["reason": "\(error)"])
        }
    }
}

extension Authorization.Keys {
    /// How many keys there are, which is all that is ever told of them.
    var counts: Logger.Metadata {
        ["api_keys": "\(self.api?.count ?? 0)", "admin_keys": "\(self.admin?.count ?? 0)"]
    }
}
