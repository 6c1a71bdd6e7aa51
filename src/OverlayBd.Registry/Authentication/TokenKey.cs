// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>What a token is good for. Registry and repository decide which credential it was got with.</summary>
internal readonly record struct TokenKey(string Registry, string Repository, string Realm, string Service, string Scopes);
