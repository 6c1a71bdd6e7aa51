// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry;

/// <summary>The kinds of failure that a caller may want to treat differently.</summary>
public enum RegistryError
{
    /// <summary>The registry or the layout has no such repository, manifest or blob.</summary>
    NotFound,

    /// <summary>The registry wants credentials, or refuses those it got.</summary>
    Unauthorized,

    /// <summary>The credentials are right but do not allow this.</summary>
    Forbidden,

    /// <summary>The registry asked to come back later more often than the budget of attempts allows.</summary>
    TooManyRequests,

    /// <summary>No connection, a connection that broke, or an answer of the 5xx kind, after all attempts.</summary>
    Unavailable,

    /// <summary>No answer, or no more bytes of one, within the configured time, after all attempts.</summary>
    Timeout,

    /// <summary>The server's certificate is not trusted, or TLS failed otherwise.</summary>
    Tls,

    /// <summary>The registry refused what it was sent.</summary>
    Rejected,

    /// <summary>The registry answered something that the distribution protocol does not allow here.</summary>
    UnexpectedResponse,

    /// <summary>A credential file or a credential helper does not work.</summary>
    Credentials,
}
