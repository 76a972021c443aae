import HTTPCore
import HTTPTypes
import Synchronization

/// Judges by the key that a request shows whether it may ask for what it asks.
public final class Authorization: Sendable {
    /// The keys that are good at the moment; `nil` where there is no file of them.
    public struct Keys: Sendable {
        public var api: KeyRing?
        public var admin: KeyRing?

        public init(api: KeyRing? = nil, admin: KeyRing? = nil) {
            self.api = api
            self.admin = admin
        }
    }

    /// Who may read the metrics.
    public enum MetricsAccess: String, CaseIterable, Sendable {
        case open
        /// As everything else: whoever has an API key, and all if there are no API keys.
        case apiKey = "api-key"
        case adminKey = "admin-key"
        /// Nobody: the path does not exist.
        case off
    }

    /// What a path asks for.
    private enum Requirement {
        case nothing
        case anyKey
        case adminKey
    }

    let metricsAccess: MetricsAccess

    private let hasAPIKeys: Bool
    private let hasAdminKeys: Bool
    private let keys: Mutex<Keys>

    public init(_ keys: Keys = Keys(), metricsAccess: MetricsAccess = .apiKey) {
        self.metricsAccess = metricsAccess
        self.hasAPIKeys = keys.api != nil
        self.hasAdminKeys = keys.admin != nil
        self.keys = Mutex(keys)
    }

    /// From here on these keys are good and no others. Requests that were granted are not looked at again.
    ///
    /// There must be rings where there were some before: what needs a key does not change.
    public func replaceKeys(with keys: Keys) {
        precondition((keys.api != nil) == self.hasAPIKeys, "a ring takes the place of a ring")
        self.keys.withLock { $0 = keys }
    }

    /// Makes sure that the request may ask for `route`, which is `nil` for a path that does not exist; 401 or 403
    /// otherwise. Costs next to nothing where no key is needed.
    func check(_ head: HTTPRequest, for route: Route?) throws(HTTPProblem) {
        try self.check(head, self.requirement(of: route, head.method))
    }

    /// The same for a path of the Open Inference Protocol.
    func check(_ head: HTTPRequest, forInference route: InferenceRoute?) throws(HTTPProblem) {
        try self.check(head, self.requirement(of: route))
    }

    private func check(_ head: HTTPRequest, _ requirement: Requirement) throws(HTTPProblem) {
        guard requirement != .nothing else { return }
        // Where there are no keys at all, asking for one would send people looking for it.
        guard self.hasAPIKeys || self.hasAdminKeys else { throw .readOnly }
        let digest = KeyDigest(try BearerToken(head).bytes)
        let keys = self.keys.withLock { $0 }
        // Both are asked in any case, so that the time does not tell them apart.
        let isAPIKey = keys.api?.contains(digest) ?? false
        let isAdminKey = keys.admin?.contains(digest) ?? false
        guard isAPIKey || isAdminKey else { throw .unauthorized("the key is not known here", error: "invalid_token") }
        guard isAdminKey || requirement == .anyKey else {
            throw self.hasAdminKeys ? HTTPProblem(.forbidden, "this needs the administrator's key") : .readOnly
        }
    }

    private func requirement(of route: Route?, _ method: HTTPRequest.Method) -> Requirement {
        switch (route, method) {
        case (.live, _), (.ready, _): .nothing
        case (.metrics, _) where self.metricsAccess == .open: .nothing
        case (.metrics, _) where self.metricsAccess == .adminKey: .adminKey
        case (.layer, .put), (.layer, .delete), (.layerVersion, .delete): .adminKey
        default: self.hasAPIKeys ? .anyKey : .nothing
        }
    }

    private func requirement(of route: InferenceRoute?) -> Requirement {
        switch route {
        case .live, .ready: .nothing
        case .load, .unload: .adminKey
        default: self.hasAPIKeys ? .anyKey : .nothing
        }
    }
}

extension HTTPProblem {
    /// Nobody can have the administrator's key.
    fileprivate static var readOnly: HTTPProblem {
        HTTPProblem(
            .forbidden,
            "layers cannot be changed here: this server was started without an administrator's key (--admin-key-file)"
        )
    }

    /// RFC 9110 §15.5.2: 401 says how to do better. RFC 6750 §3.1: `error` is left out where no key was shown.
    static func unauthorized(_ detail: String, error: String? = nil) -> HTTPProblem {
        let challenge = #"Bearer realm="normserve""# + (error.map { #", error="\#($0)""# } ?? "")
        return HTTPProblem(.unauthorized, detail, fields: [.wwwAuthenticate: challenge])
    }
}
