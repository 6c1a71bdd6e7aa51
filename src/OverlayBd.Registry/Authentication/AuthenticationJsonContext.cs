// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Registry.Authentication;

[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(AuthFileDocument))]
[JsonSerializable(typeof(CredentialHelperReply))]
[JsonSerializable(typeof(CredentialServiceReply))]
[JsonSerializable(typeof(TokenResponse))]
internal sealed partial class AuthenticationJsonContext : JsonSerializerContext;
