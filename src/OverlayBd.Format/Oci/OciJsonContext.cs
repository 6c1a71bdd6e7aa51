// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageDocument))]
internal sealed partial class OciJsonContext : JsonSerializerContext;
