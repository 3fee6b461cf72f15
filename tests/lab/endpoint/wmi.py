# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WMI through WS-Management: Get, Enumerate with WQL, Invoke (wsman.md 1.2 to 1.8)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lab.backend import Backend, CimValue, WmiProviderError

from . import cim_xml, names, wql
from .enumeration import Enumerations
from .reference import EnumerationMode, enumeration_mode, item, mode_fault, reference
from .request_context import Call
from .soap import envelope, escape
from .wsman_fault import ProviderError, WsmanFaultError, fault

Instance = Mapping[str, CimValue]
_MISSING_CLASS = "The specified class does not exist in the given namespace. "
_INVOKE_PREFIXES = "s a x w p"
_CLASS = "__CLASS"


class WmiService:
    """The WMI resource of one endpoint."""

    def __init__(self, backend: Backend, enumerations: Enumerations) -> None:
        """Stand in front of a backend."""
        self._backend = backend
        self._enumerations = enumerations

    def handle(self, call: Call) -> str:
        """Answer a request for a WMI resource.

        Raises:
            WsmanFaultError: It is refused.
        """
        request = call.request
        try:
            match request.action:
                case names.GET:
                    answer = self._get(call)
                case names.ENUMERATE:
                    return self._enumerations.enumerate(call, self._items(call))
                case names.PULL:
                    return self._enumerations.pull(call)
                case names.RELEASE:
                    return self._enumerations.release(call)
                case _:
                    answer = self._invoke(call)
        except WmiProviderError as error:
            raise WsmanFaultError(error.code, "w:InternalError", error.message, receiver=True) from error
        if len(answer) > call.character_limit:
            raise fault("envelope_exceeded")
        return answer

    def _get(self, call: Call) -> str:
        request = call.request
        namespace, class_name = _split(request.resource_uri)
        if class_name == "*":
            raise fault("invalid_resource_uri")
        instances = self._instances(namespace, class_name, "GetObject")
        instance = self._select(namespace, class_name, instances, request.selectors)
        name, properties = _named(instance, class_name)
        location = self._location(call, namespace, class_name, properties) if call.settings.location_in_get else ""
        body = cim_xml.instance_xml(request.resource_uri, name, properties, location)
        return envelope(f"{names.GET}Response", request.message_id, body, "s a x w p")

    def _items(self, call: Call) -> Iterator[str]:
        """Return the items of an Enumerate as XML; the query is judged before the first is taken."""
        request = call.request
        namespace, class_name = _split(request.resource_uri)
        mode = enumeration_mode(request.payload)
        element = None if request.payload is None else request.payload.find(f"{{{names.WSMAN}}}Filter")
        if element is None:
            if class_name == "*":
                raise fault("filter")
            found = self._instances(namespace, class_name, "ExecQuery")
            return iter([self._item(mode, namespace, request.resource_uri, class_name, one) for one in found])
        if element.get("Dialect") != names.WQL:
            raise fault("filter_dialect")
        if class_name != "*":
            raise fault("wql_with_class")
        text = element.text or ""
        try:
            query = wql.parse(text)
            instances = self._instances(namespace, query.class_name, "ExecQuery", text)
            chosen = [instance for instance in instances if query.matches(instance)]
            rows = [query.project(instance) for instance in chosen]
        except wql.WqlError as error:
            raise fault("filter", _provider(namespace, "ExecQuery", text, "WinMgmt", "Invalid query ")) from error
        if query.columns is not None:
            if mode is not EnumerationMode.OBJECT:
                raise mode_fault()  # No source says what Windows makes of a projection with references.
            return (cim_xml.fragment_xml(row) for row in rows)
        uri = request.resource_uri[: -len("*")] + query.class_name
        return (self._item(mode, namespace, uri, query.class_name, row) for row in rows)

    def _invoke(self, call: Call) -> str:
        request = call.request
        namespace, class_name = _split(request.resource_uri)
        prefix, _slash, method = request.action.rpartition("/")
        if class_name == "*" or not method or prefix.lower() != request.resource_uri.lower():
            raise fault("action_not_supported")
        instance: Instance | None = None
        instances = self._instances(namespace, class_name, "ExecMethod")
        if request.selectors:
            instance = self._select(namespace, class_name, instances, request.selectors)
        elif not self._backend.wmi_key_names(namespace, class_name) and len(instances) == 1:
            instance = instances[0]
        parameters = _parameters(request.payload, request.resource_uri, method)
        try:
            values = self._backend.wmi_invoke(namespace, class_name, method, instance, parameters)
        except LookupError as error:
            if isinstance(error, (KeyError, IndexError)):
                raise  # a KeyError or IndexError is a bug of the backend, not a missing method
            raise fault("action_not_supported") from error
        body = cim_xml.output_xml(request.resource_uri, method, values)
        return envelope(f"{request.action}Response", request.message_id, body, _INVOKE_PREFIXES)

    def _instances(self, namespace: str, class_name: str, operation: str, query: str = "") -> Sequence[Instance]:
        instances = self._backend.wmi_instances(namespace, class_name)
        if instances is None:
            kind = "filter" if query else "not_found"
            raise fault(kind, _provider(namespace, operation, query or class_name, "WinMgmt", _MISSING_CLASS))
        return instances

    def _select(
        self, namespace: str, class_name: str, instances: Sequence[Instance], selectors: Mapping[str, str]
    ) -> Instance:
        keys = self._backend.wmi_key_names(namespace, class_name)
        if bool(keys) != bool(selectors):
            raise fault("singleton")
        if {key.lower() for key in keys} != {name.lower() for name in selectors}:
            raise fault("unexpected_selectors")
        wanted = {name.lower(): value.lower() for name, value in selectors.items()}
        for instance in instances:
            if all(_key_text(instance, key) == wanted[key.lower()] for key in keys):
                return instance
        named = ",".join(f'{key}="{wanted[key.lower()]}"' for key in keys)
        provider = _provider(namespace, "GetObject", f"{class_name}.{named}", "CIMWin32", fault("not_found").message)
        raise fault("not_found", provider)

    def _location(self, call: Call, namespace: str, class_name: str, properties: Instance) -> str:
        keys = self._keys(namespace, class_name, properties)
        return f"<cim:Location>{reference(call.request.resource_uri, keys)}</cim:Location>"

    def _item(self, mode: EnumerationMode, namespace: str, uri: str, class_name: str, instance: Instance) -> str:
        whole = _whole(uri, class_name, instance)
        if mode is EnumerationMode.OBJECT:
            return whole
        return item(mode, whole, reference(uri, self._keys(namespace, class_name, instance)))

    def _keys(self, namespace: str, class_name: str, properties: Instance) -> dict[str, str]:
        keys = self._backend.wmi_key_names(namespace, class_name)
        return {key: _key_text(properties, key, lower=False) for key in keys}


def _split(resource_uri: str) -> tuple[str, str]:
    namespace, slash, class_name = resource_uri[len(names.WMI_RESOURCE) :].rpartition("/")
    if not slash or not namespace or not class_name:
        raise fault("invalid_resource_uri")
    return namespace, class_name


def _named(instance: Instance, class_name: str) -> tuple[str, Instance]:
    """Return the element's name, which is a derived class's own where the backend tells it, and the properties."""
    if _CLASS not in instance:
        return class_name, instance
    return str(instance[_CLASS]), {name: value for name, value in instance.items() if name != _CLASS}


def _whole(resource_uri: str, class_name: str, instance: Instance) -> str:
    name, properties = _named(instance, class_name)
    uri = resource_uri if name == class_name else resource_uri.rpartition("/")[0] + "/" + name
    return cim_xml.instance_xml(uri, name, properties)


def _key_text(instance: Instance, key: str, *, lower: bool = True) -> str:
    value = next((value for name, value in instance.items() if name.lower() == key.lower()), None)
    if value is None or (isinstance(value, Sequence) and not isinstance(value, str)):
        return ""
    text = cim_xml.format_scalar(value)
    return text.lower() if lower else text


def _parameters(payload: ET.Element | None, resource_uri: str, method: str) -> dict[str, list[str]]:
    """Read the input of a method; its element must be the class's own (wsman.md 1.6, fault 2150858817 else)."""
    if payload is None:
        return {}
    namespace, _brace, name = payload.tag[1:].partition("}")
    if namespace.lower() != resource_uri.lower() or name != f"{method}_INPUT":
        raise fault("schema")
    found: dict[str, list[str]] = {}
    for element in payload:
        inside, _brace, parameter = element.tag[1:].partition("}")
        if inside.lower() != resource_uri.lower():
            raise fault("schema")
        if element.get(f"{{{names.XSI}}}nil", "") in ("true", "1"):
            continue
        inner: Iterable[ET.Element] = element
        text = next((child.text for child in inner if child.tag == f"{{{names.CIM}}}Datetime"), element.text)
        found.setdefault(parameter, []).append(text or "")
    return found


def _provider(namespace: str, operation: str, parameter: str, provider: str, message: str) -> ProviderError:
    return ProviderError(
        message, operation, parameter, provider, f"{names.WMI_RESOURCE}{escape(namespace)}/__ExtendedStatus"
    )
