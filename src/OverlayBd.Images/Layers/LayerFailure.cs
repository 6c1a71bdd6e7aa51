// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Layers;

/// <summary>Makes the error of a layer that cannot be opened: it names the layer, and keeps the cause and its kind.</summary>
internal static class LayerFailure
{
    public static Exception Wrap(LayerDescription layer, Exception cause, Exception? localCause = null)
    {
        string message = cause.Message.TrimEnd('.');
        if (message.StartsWith(layer.Name, StringComparison.Ordinal))
        {
            message = message[layer.Name.Length..].TrimStart(':', ' ');
        }

        string local = localCause is null ? "" : $" (its local file cannot be used either: {localCause.Message.TrimEnd('.')})";
        message = $"{char.ToUpperInvariant(layer.Name[0])}{layer.Name[1..]} cannot be opened: {message}{local}.";
        return cause is InvalidDataException ? new InvalidDataException(message, cause) : new IOException(message, cause);
    }
}
