// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>The documents of the backstore's control API, as far as they are needed here.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BackstoreAttachRequest))]
[JsonSerializable(typeof(BackstoreDevice))]
[JsonSerializable(typeof(BackstoreDeviceList))]
[JsonSerializable(typeof(BackstoreErrorDocument))]
internal sealed partial class BackstoreJson : JsonSerializerContext;
