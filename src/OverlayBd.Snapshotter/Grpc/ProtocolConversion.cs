// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using OverlayBd.Snapshotter.Grpc.Protocol;

namespace OverlayBd.Snapshotter.Grpc;

/// <summary>Between the messages and the library's types.</summary>
internal static class ProtocolConversion
{
    public static Info ToMessage(SnapshotInfo info)
    {
        Info message = new()
        {
            Name = info.Name,
            Parent = info.Parent,
            Kind = (Kind)info.Kind,
            CreatedAt = Timestamp.FromDateTimeOffset(info.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(info.UpdatedAt),
        };
        foreach ((string name, string value) in info.Labels)
        {
            message.Labels[name] = value;
        }

        return message;
    }

    public static void AddTo(RepeatedField<Mount> messages, IReadOnlyList<SnapshotMount> mounts)
    {
        foreach (SnapshotMount mount in mounts)
        {
            Mount message = new() { Type = mount.Type, Source = mount.Source };
            message.Options.AddRange(mount.Options);
            messages.Add(message);
        }
    }

    public static Dictionary<string, string> ToLabels(MapField<string, string> labels) => new(labels, StringComparer.Ordinal);
}
