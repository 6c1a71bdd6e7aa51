// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>The documents of the control API, serialised without reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AttachRequest))]
[JsonSerializable(typeof(Attachment))]
[JsonSerializable(typeof(DeviceInfo))]
[JsonSerializable(typeof(DeviceList))]
[JsonSerializable(typeof(DeviceRecord))]
[JsonSerializable(typeof(DeviceStatistics))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(ReadyMessage))]
[JsonSerializable(typeof(ResizeRequest))]
[JsonSerializable(typeof(SnapshotRequest))]
[JsonSerializable(typeof(TraceRequest))]
[JsonSerializable(typeof(TraceState))]
internal sealed partial class ControlApiJson : JsonSerializerContext;
