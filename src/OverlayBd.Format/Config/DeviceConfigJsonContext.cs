// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNameCaseInsensitive = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(DeviceConfig))]
internal sealed partial class DeviceConfigJsonContext : JsonSerializerContext;
