// SPDX-License-Identifier: Apache-2.0

using System.Net.Http.Headers;

namespace OverlayBd.Registry.Authentication;

/// <summary>What goes into the Authorization header, and until when.</summary>
internal sealed class AccessToken(AuthenticationHeaderValue header, DateTimeOffset renewAt)
{
    public AuthenticationHeaderValue Header => header;

    public DateTimeOffset RenewAt => renewAt;
}
