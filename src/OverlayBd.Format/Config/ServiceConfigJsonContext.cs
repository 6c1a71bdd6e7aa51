// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    WriteIndented = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ServiceConfig))]
internal sealed partial class ServiceConfigJsonContext : JsonSerializerContext;
